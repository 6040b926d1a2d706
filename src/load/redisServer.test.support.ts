/** A real redis-server on a free port, and a TCP link that can be cut, for the tests beside them. Never used by the product. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monotonicUs, sleepUs } from '../base/clock.js';
import type { LoadEndpoints } from './client.js';

const WAIT_LIMIT_US = 30_000_000;
const POLL_US = 10_000;

/** Waits for a state; fails loudly after 30 s. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineUs = monotonicUs() + WAIT_LIMIT_US;
  while (!(await holds())) {
    assert.ok(monotonicUs() < deadlineUs, `waited in vain: ${what}`);
    await sleepUs(POLL_US);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export class RedisServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'kvbench-load-test-'));
  process: ChildProcess | null = null;

  private constructor(
    readonly port: number,
    readonly settings: readonly string[],
  ) {}

  /** @param settings further arguments, e.g. `--requirepass x` as two */
  static async start(...settings: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), settings);
    await server.run();
    return server;
  }

  async run(): Promise<void> {
    const fixed = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.folder];
    this.process = spawn('redis-server', [...fixed, ...this.settings], { stdio: 'ignore' });
    await until('redis-server answers', () => canConnect(this.port));
  }

  async kill(): Promise<void> {
    const { process } = this;
    if (process === null || process.exitCode !== null || process.signalCode !== null) return;
    process.kill('SIGKILL');
    await once(process, 'exit');
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Sends one inline command, returns what came back first. */
  async ask(command: string, encoding: BufferEncoding = 'utf8'): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    socket.write(`${command}\r\n`);
    const [reply] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return reply.toString(encoding);
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Forwards connections to a port; `onReply` sees each piece of a reply first and may cut the connection by returning true. */
export async function startLink(
  toPort: number,
  onReply: (data: Buffer) => boolean = () => false,
): Promise<{ port: number; server: Server; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(toPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => upstream.write(data));
    upstream.on('data', (data) => {
      if (onReply(data)) client.destroy();
      else client.write(data);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, server, close };
}

export function endpointsOf(mode: LoadEndpoints['mode'], port: number, more: Partial<LoadEndpoints> = {}): LoadEndpoints {
  return {
    mode,
    seeds: [{ host: '127.0.0.1', port }],
    natMap: null,
    nodeIds: { [`127.0.0.1:${port}`]: 'n1' },
    username: null,
    password: null,
    tls: null,
    shardOfSlot: new Uint16Array(16384),
    shardCount: 1,
    ...more,
  };
}
