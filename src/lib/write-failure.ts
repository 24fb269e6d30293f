/** What to tell an operator when a file cannot be written, where the cause is outside of rollcall. */
import { CodedError, codeOf, messageOf } from './errors.ts';

const explained: Readonly<Record<string, string>> = {
  EBUSY: 'the file is a mount point of its own: mount its directory instead',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'no permission to write in the directory',
  EPERM: 'no permission to write in the directory',
};

/** @throws CodedError with the path and the reason in words, for whatever the work throws. */
export async function explaining<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const why = explained[codeOf(error) ?? ''];
    const reason = why ? `${why} (${messageOf(error)})` : messageOf(error);
    throw new CodedError('WRITE_FAILED', `${path}: ${reason}`, { cause: error });
  }
}
