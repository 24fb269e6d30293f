#!/usr/bin/env node
/**
 * The entry. It refuses a Node that is too old before anything is loaded that would
 * fail on it in a way that helps nobody.
 */
const neededMajor = 24;

if (Number.parseInt(process.versions.node, 10) < neededMajor) {
  process.stderr.write(
    `rollcall: Node ${process.version} is too old: run it with Node ${neededMajor} or newer\n`,
  );
  process.exitCode = 2;
} else {
  void import('./main.ts');
}
