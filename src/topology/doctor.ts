/**
 * What this machine offers a run, what each finding means and what to do about it. Called by `kvbench doctor`.
 * It only looks: nothing is changed or installed.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { messageOf } from '../base/errors.js';
import { formatBytes } from '../base/units.js';
import { findServer, installCommand } from './findServer.js';
import { canListen, ephemeralPortRange, labPortRange, PortPicker } from './ports.js';

export interface DoctorCheck {
  name: string;
  /** problem: a lab run can't work; warning: it works, but its figures may suffer. */
  status: 'ok' | 'warning' | 'problem';
  observed: string;
  meaning: string;
  /** Null when there is nothing to do. */
  remedy: string | null;
}

const ENOUGH_FILES = 4096;
const TOO_FEW_FILES = 256;
/** A 3+3 cluster takes 12 ports. */
const PORTS_WANTED = 12;

/** All findings, in the order in which they matter. Never throws. */
export async function diagnose(env: NodeJS.ProcessEnv): Promise<DoctorCheck[]> {
  return [node(), server(env), fileDescriptors(), await ports(), ephemeralPorts(), cpus(), memory(), overcommit(), hugePages()].filter(
    (check) => check !== null,
  );
}

function node(): DoctorCheck {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  return {
    name: 'Node.js',
    status: good ? 'ok' : 'problem',
    observed: `${process.version} on ${process.platform} ${process.arch}`,
    meaning: 'kvbench needs Node.js 20.19 or newer.',
    remedy: good ? null : 'install a newer Node.js',
  };
}

function server(env: NodeJS.ProcessEnv): DoctorCheck {
  const name = 'Server';
  const meaning = 'Labs run real servers; runs against an external target need none.';
  try {
    const { path, product, version } = findServer(undefined, env);
    return { name, status: 'ok', observed: `${product} ${version} at ${path}`, meaning, remedy: null };
  } catch (thrown) {
    const command = installCommand(env);
    return {
      name,
      status: 'problem',
      observed: messageOf(thrown),
      meaning,
      remedy: command ?? 'install redis-server or valkey-server and put it on PATH, or set KVBENCH_SERVER',
    };
  }
}

function fileDescriptors(): DoctorCheck {
  const limit = fileLimit();
  const status = limit === null || limit >= ENOUGH_FILES ? 'ok' : limit >= TOO_FEW_FILES ? 'warning' : 'problem';
  return {
    name: 'File descriptors',
    status,
    observed: limit === null ? 'limit unknown' : limit === Number.POSITIVE_INFINITY ? 'unlimited' : `${limit} per process`,
    meaning: 'Every connection takes one, in the load generator and in the server; a server lowers its maxclients to fit.',
    remedy: status === 'ok' ? null : `ulimit -n ${ENOUGH_FILES}`,
  };
}

/** The soft limit; null when it can't be found out. */
function fileLimit(): number | null {
  const limits = readText('/proc/self/limits') ?? '';
  const text = /^Max open files\s+(\S+)/m.exec(limits)?.[1] ?? shellLimit();
  return text === null ? null : text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}

function shellLimit(): string | null {
  try {
    return execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8', timeout: 5000 }).trim();
  } catch {
    return null;
  }
}

async function ports(): Promise<DoctorCheck> {
  const { lowest, highest } = labPortRange();
  const picker = new PortPicker();
  let found = 0;
  let observed: string;
  try {
    while (found < PORTS_WANTED && (await canListen(await picker.next()))) found++;
    observed = `${found} of ${PORTS_WANTED} wanted ports on 127.0.0.1 are free between ${lowest} and ${highest}`;
  } catch (thrown) {
    observed = messageOf(thrown);
  } finally {
    picker.release();
  }
  const good = found === PORTS_WANTED;
  return {
    name: 'Ports',
    status: good ? 'ok' : 'problem',
    observed,
    meaning: 'Each lab node listens on a client port and a bus port of 127.0.0.1, outside the ephemeral range.',
    remedy: good ? null : 'free some ports, or allow listening on 127.0.0.1',
  };
}

function ephemeralPorts(): DoctorCheck | null {
  const range = ephemeralPortRange();
  if (range === null) return null;
  const lab = labPortRange();
  const overlaps = range.lowest <= lab.highest;
  const few = range.highest - range.lowest < 10_000;
  return {
    name: 'Ephemeral ports',
    status: overlaps || few ? 'warning' : 'ok',
    observed: `${range.lowest}–${range.highest}`,
    meaning: overlaps
      ? 'Outgoing connections can take a port that a lab server is about to use; its start is then tried again.'
      : 'Every outgoing connection takes one; a closed one is blocked for a minute, which matters in reset storms.',
    remedy: overlaps || few ? 'sudo sysctl -w net.ipv4.ip_local_port_range="32768 60999"' : null,
  };
}

function cpus(): DoctorCheck {
  const count = availableParallelism();
  return {
    name: 'CPUs',
    status: count >= 4 ? 'ok' : 'warning',
    observed: String(count),
    meaning: 'The load generator and the servers of a lab share them: with few, keep rates low and watch "saturated" in the summary.',
    remedy: count >= 4 ? null : 'use load.threads: 1, or run against an external target',
  };
}

function memory(): DoctorCheck {
  const bytes = totalmem();
  const good = bytes >= 1_000_000_000;
  return {
    name: 'Memory',
    status: good ? 'ok' : 'warning',
    observed: formatBytes(bytes),
    meaning: 'Every master of a lab holds its part of the keys, every replica a copy.',
    remedy: good ? null : 'keep load.workload.keys.count small',
  };
}

function overcommit(): DoctorCheck | null {
  const value = readText('/proc/sys/vm/overcommit_memory')?.trim();
  if (value === undefined) return null;
  return {
    name: 'Memory overcommit',
    status: value === '1' ? 'ok' : 'warning',
    observed: `vm.overcommit_memory = ${value}`,
    meaning: 'A server forks to copy its data to a replica; without overcommit the fork can fail when much of the memory is in use.',
    remedy: value === '1' ? null : 'sudo sysctl vm.overcommit_memory=1',
  };
}

function hugePages(): DoctorCheck | null {
  const chosen = /\[(\w+)\]/.exec(readText('/sys/kernel/mm/transparent_hugepage/enabled') ?? '')?.[1];
  if (chosen === undefined) return null;
  const bad = chosen === 'always';
  return {
    name: 'Transparent huge pages',
    status: bad ? 'warning' : 'ok',
    observed: chosen,
    meaning: 'With "always", the first writes after a fork copy 2 MB pages: latency spikes during replication and saving.',
    remedy: bad ? "sudo sh -c 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled'" : null,
  };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
