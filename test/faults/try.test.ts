import { resolve } from 'node:path';
import { loadRunbook } from '../../src/runbook/load.js';
import { corruptionScenario } from '../../workflows/corruption.js';
import { allCases } from './cases.js';
import { runCase } from './run-case.js';

it('tries', async () => {
  const { runbook } = await loadRunbook(resolve(__dirname, '../../runbooks/payymo.yaml'));
  const cases = allCases(corruptionScenario.buildPlan(runbook).document);
  process.stderr.write(`${cases.length} cases\n`);
  const wanted = new RegExp(process.env.CASES ?? '^kill: promote begins$');
  const queue = cases.filter(({ name }) => wanted.test(name));
  const lanes = Number(process.env.LANES ?? 1);
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (let one = queue.shift(); one; one = queue.shift()) {
      const o = await runCase(one);
      process.stderr.write(`${o.wrong.length ? 'WRONG' : 'right'} ${(o.recoveryMs/1000).toFixed(1)} ${(o.wholeMs/1000).toFixed(1)} ${o.name} ${[...o.wrong, ...o.notes].join('; ')}\n`);
    }
  }));
}, 3_000_000);
