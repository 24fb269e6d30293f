# The demo and the tests on a machine without etcd, nginx and apache: `npm start` and `npm test`
# build this by themselves where they are needed. Not for production.
ARG BASE=node:24-bookworm-slim
FROM ${BASE}
WORKDIR /rollcall
# Only what the installation reads, so that it is done again only when that changes.
COPY scripts/setup.mjs scripts/setup.mjs
COPY scripts/setup scripts/setup
RUN node scripts/setup.mjs programs && rm -rf /var/lib/apt/lists/*
COPY . .
