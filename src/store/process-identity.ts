/**
 * Who a process is, so that another process on the same host can tell at once that it is gone.
 *
 * A pid alone says little: pids are reused, and a container has pids of its own. So an identity also holds when the process
 * started, which boot of the host that was, and which pid namespace its pid belongs to. What cannot be
 * compared is not guessed: then only the lease decides.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  host: string;
  /** Id of this boot of the host; '' where the system has none. */
  boot: string;
  /** The pid namespace; '' where the system has none. */
  space: string;
  pid: number;
  /** When the process started, in the system's own unit; '' when it cannot be told. */
  started: string;
}

let own: ProcessIdentity | undefined;

export function ownIdentity(): ProcessIdentity {
  own ??= {
    host: hostname(),
    boot: readText('/proc/sys/kernel/random/boot_id'),
    space: readLink('/proc/self/ns/pid'),
    pid: process.pid,
    started: startOf(process.pid) ?? '',
  };
  return own;
}

/** True only when the process is certainly gone; false when it lives or when that cannot be told from here. */
export function isGone(other: ProcessIdentity, self: ProcessIdentity = ownIdentity()): boolean {
  if (other.pid === self.pid && other.started === self.started && other.space === self.space) return false;
  if (other.host !== self.host) return false;
  // The host was started anew: none of its processes is left.
  if (other.boot !== self.boot) return other.boot !== '' && self.boot !== '';
  if (other.space !== self.space) return false;
  const started = startOf(other.pid);
  if (started === null) return true;
  return other.started !== '' && started !== '' && started !== other.started;
}

/** When the process started; '' if it lives but hides that; null if there is no such process (or only its corpse). */
function startOf(pid: number): string | null {
  if (process.platform === 'linux') {
    const stat = readText(`/proc/${pid}/stat`);
    if (stat !== '') {
      // The second field is the program's name in parentheses, and may hold anything.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const state = fields[0];
      return state === 'Z' || state === 'X' ? null : (fields[19] ?? '');
    }
  }
  if (!signalReaches(pid)) return null;
  return process.platform === 'darwin' ? askPs(pid) : '';
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function askPs(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return '';
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

function readLink(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
