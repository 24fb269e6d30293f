/**
 * The parent in the test of the guard: starts an apache, freezes it, says what it made, and waits
 * to be killed.
 */
import { startApache } from '../../scripts/parts/apache.ts';
import { makeScratch } from '../../scripts/parts/scratch.ts';

const scratch = await makeScratch('parts-test');
const apache = await startApache();
await apache.freeze();
process.send?.({ group: apache.pid, directory: scratch.path });
