/**
 * Where kvbench keeps what must outlive one of its processes: labs that go on running, undo journals. One folder per user, nobody
 * else's to read or write. Used by the journal, the lab commands and `kvbench heal`.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { KvbenchError, messageOf } from './errors.js';

/**
 * `KVBENCH_RUNTIME_DIR`, else `kvbench` in `XDG_RUNTIME_DIR`, else `kvbench-<uid>` in the system's temporary folder; made when it is not
 * there. Throws RESULT_NOT_WRITABLE when it cannot be made, or is somebody else's (the temporary folder is open to all).
 */
export function runtimeFolder(env: NodeJS.ProcessEnv = process.env): string {
  const { uid } = userInfo();
  const given = env.KVBENCH_RUNTIME_DIR;
  const session = env.XDG_RUNTIME_DIR;
  const folder = given ? given : session ? join(session, 'kvbench') : join(tmpdir(), `kvbench-${uid}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    if (!found.isDirectory()) throw new Error('it is not a folder');
    if (uid >= 0 && found.uid !== uid) throw new Error('it belongs to another user');
  } catch (thrown) {
    throw new KvbenchError('RESULT_NOT_WRITABLE', `${folder} cannot be used: ${messageOf(thrown)}`, 'name another folder in KVBENCH_RUNTIME_DIR');
  }
  return folder;
}
