/**
 * A worker process with Muster's own workflows and proofs, whose other activities do nothing: started by the benchmark of
 * decisions, so that its memory is its own. Arguments: address of Temporal, task queue.
 */
import { Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../activities/index.js';
import { activityInterceptor } from '../activities/interceptor.js';
import { builtProgram } from '../lab/built.js';
import { createLog } from '../src/log.js';
import { ensureSearchAttributes } from '../src/temporal/search-attributes.js';
import { CACHED_RUNS } from '../src/worker-process.js';

const [address = '', taskQueue = ''] = process.argv.slice(2);
/** What any step gives, as far as gates show it. */
const output = {
  summary: 'done',
  time: '2026-03-01T02:59:39Z',
  loses: {},
  backup: { label: 'none', type: 'full' },
  usableRepositories: [1],
  walSegments: 1,
  invariants: [],
  checks: [],
  lookedAt: [],
  steps: {},
};

Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await Connection.connect({ address });
await ensureSearchAttributes(connection, 'default');
const real = createActivities();
const activities = {
  ...Object.fromEntries(Object.keys(real).map((name) => [name, async () => output])),
  verifyProof: real.verifyProof,
};
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue,
  workflowBundle: { codePath: builtProgram('workflow-bundle.js') },
  activities,
  interceptors: { activity: [activityInterceptor(createLog('bench'))] },
  maxCachedWorkflows: CACHED_RUNS,
});
process.once('disconnect', () => worker.shutdown());
process.send?.('ready');
await worker.run();
process.exit(0);
