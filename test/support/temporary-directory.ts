/** A directory that goes at the end of its scope: `await using directory = await ...`. */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const temporaryDirectory = () => mkdtempDisposable(join(tmpdir(), 'rollcall-unit-'));
