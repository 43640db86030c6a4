/** `muster serve`: Temporal, its UI and a worker on this machine, for as long as the command runs. */
import type { CliContext, Register } from '../context.js';

export const register: Register = (program, context) => {
  program
    .command('serve')
    .description(
      'run Temporal with its UI and a worker on this machine, until Ctrl-C: for a laptop or one server',
    )
    .addHelpText(
      'after',
      `
Everything listens on loopback only and is kept in MUSTER_HOME: runs go on when it
is started again. Other muster commands find it by themselves. Payloads are
encrypted with MUSTER_PAYLOAD_KEYS, else with a key made in MUSTER_HOME/keys; the
UI shows them in clear.

Examples:
  muster serve
  MUSTER_RUNBOOKS=./opened/runbooks muster serve
  MUSTER_HOME=/srv/muster muster serve --json`,
    )
    .action(() => serve(context));
};

async function serve(context: CliContext): Promise<void> {
  const { musterHome } = await import('../../home.js');
  const { serveEmbedded } = await import('../../embedded/serve.js');
  const { renderServing } = await import('../render/serving.js');
  const { env } = context.world;
  const { out } = context;
  const told = untilTold();
  const starting = serveEmbedded(musterHome(env), env, (line) => out.note(line));
  const embedded = await starting;
  const { temporal, serve: own, payloadKeys } = embedded.state;
  const serving = {
    pid: own.pid,
    temporal,
    codecUrl: embedded.codecUrl,
    payloadKeys: payloadKeys ?? null,
    home: musterHome(env),
    logs: embedded.logs,
  };
  out.result(serving, (colors) => renderServing(serving, colors));
  const signal = await told;
  out.note(`${signal}: ending the worker, then Temporal. What runs goes on when it is started again.`);
  await embedded.stop();
}

/** Ctrl-C while it starts counts once it has started: nothing is left half begun. A second one ends it at once. */
function untilTold(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
  });
}
