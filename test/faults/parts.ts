/** Parts of a lab that are taken away and brought back, each by itself. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { databaseAccount } from '../../lab/account.js';
import { World } from '../../lab/keeper.js';
import { layoutOf } from '../../lab/layout.js';
import { orchestratorPart, type PartContext, regionPart, storePart } from '../../lab/parts/all.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { ensurePart, type PartSpec } from '../../lab/parts/part.js';
import { portOf } from '../../lab/ports.js';
import { stopProcess } from '../../lab/process.js';
import { readSecrets } from '../../lab/secrets.js';
import { readState } from '../../lab/state.js';
import { eventually } from '../support/eventually.js';
import type { TestLab } from '../support/lab.js';

export type Takeable = 'temporal' | 'store' | 's3-west' | 's3-east';

/** Ends a part as a crash does; returns when it is gone. */
export async function takeAway(lab: TestLab, name: Takeable): Promise<void> {
  const { world } = await worldOf(lab);
  const part = world.known(name);
  if (part === undefined) throw new Error(`the lab has no ${name}`);
  // PostgreSQL's immediate shutdown: a killed postmaster would leave its helpers in the way of the next one.
  await stopProcess(part, name === 'store' ? 'SIGQUIT' : 'SIGKILL');
}

/** Starts a part again and returns when it answers. */
export async function bringBack(lab: TestLab, name: Takeable): Promise<void> {
  const { world, context } = await worldOf(lab);
  await ensurePart(await specOf(context, name), world);
}

async function specOf(context: PartContext, name: Takeable): Promise<PartSpec> {
  if (name === 'temporal') return orchestratorPart(context);
  if (name === 'store') return storePart(context);
  return regionPart(context, name === 's3-west' ? 'west' : 'east');
}

async function worldOf(lab: TestLab): Promise<{ world: World; context: PartContext }> {
  const layout = layoutOf(lab.dir);
  const state = await readState(layout);
  if (state === undefined) throw new Error('the lab is gone');
  const world = new World(layout, state, () => undefined);
  const secrets = await readSecrets(layout.secrets);
  const context = { layout, state, programs: findPrograms(), account: databaseAccount(), secrets };
  return { world, context };
}

async function listening(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

/** Takes connections in the place of servers that are away, and breaks each one at once. */
export class Abyss {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  broken = 0;

  /** @param endpoints URLs or `host:port` on the loopback interface */
  static async at(endpoints: readonly string[]): Promise<Abyss> {
    const abyss = new Abyss();
    for (const endpoint of endpoints) {
      const server = createServer((socket) => {
        abyss.broken += 1;
        abyss.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => abyss.#sockets.delete(socket));
        socket.resetAndDestroy();
      });
      // A server that was killed holds its port until the last of its threads has ended.
      await eventually(() => listening(server, portOf(endpoint)));
      abyss.#servers.push(server);
    }
    return abyss;
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((done) => server.close(done)));
    // A connection that its client broke in the same moment would be waited for without end.
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }
}
