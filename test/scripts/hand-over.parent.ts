/** Hands over to a command that writes each signal it gets and ends with status 7 at SIGTERM. */
import { handOver } from '../../scripts/setup/hand-over.mjs';

const command = `
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.on(name, () => {
      process.stdout.write(name + '\\n');
      if (name === 'SIGTERM') process.exit(7);
    });
  }
  setInterval(() => {}, 1000);
  process.stdout.write('ready\\n');
`;
process.exitCode = await handOver(process.execPath, ['--eval', command], process.env);
