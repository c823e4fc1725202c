// A server of Redis or Valkey for tests, on a port of its own of this machine.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';
import { Redis } from 'ioredis';

const programs = ['redis-server', 'valkey-server'];

/** The program; undefined where there is none. */
export const serverProgram = programs.find((name) => spawnSync(name, ['--version']).status === 0);
/** Why tests of queues are left out here. */
export const noServer = serverProgram ? false : `neither ${programs.join(' nor ')} is installed`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface TestServer {
  readonly url: string;
  /** Ends it by force, as a machine that goes down. */
  kill(): Promise<void>;
  /** Starts it again with what its disk has, or `empty`. */
  start(empty?: boolean): Promise<void>;
}

/** Starts a server that keeps its data in `folder`. `more`: words of its command line. */
export async function startServer(folder: string, password?: string): Promise<TestServer> {
  const port = await freePort();
  const url = `redis://${password ? `:${password}@` : ''}127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const server: TestServer = {
    url,
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    async start(empty = false) {
      const words = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'];
      const own = [...words, '--appendfsync', 'always', '--appenddirname', empty ? `aof-${Date.now()}` : 'aof'];
      const secret = password ? ['--requirepass', password] : [];
      child = spawn(serverProgram!, [...own, ...secret].map(String), { stdio: 'ignore' });
      const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: () => 50 });
      client.on('error', () => undefined);
      try {
        await client.connect().catch(() => undefined);
        while ((await client.ping().catch(() => '')) !== 'PONG') await pass(50);
      } finally {
        client.disconnect();
      }
    },
  };
  process.once('exit', () => child?.kill('SIGKILL'));
  await server.start();
  return server;
}
