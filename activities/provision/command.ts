/** Infrastructure made by a program of the owner's. It must make nothing twice: it is told the run and the attempt. */
import { PermanentError } from '../../src/errors.js';
import type { Infrastructure } from '../../src/runbook/schema.js';
import { runOwnersCommand } from '../command/run.js';
import type { OpenInfrastructure } from './driver.js';

type Section = Extract<Infrastructure, { driver: 'command' }>;

export const openCommand: OpenInfrastructure<Section> = (at, section, inputs) => {
  const what = `infrastructure, ${section.title}`;
  const wanted = section.command.join(' ');
  const changes = [{ address: wanted, action: 'run' }];
  const look = async (): Promise<string> => {
    if (section.check === undefined) return '';
    const answer = await runOwnersCommand(at, what, { ...section, command: section.check }, { inputs });
    return JSON.stringify(answer, null, 2);
  };
  return {
    async plan() {
      const text = await look();
      return { changes, text: text === '' ? wanted : `${wanted}\n${text}`, summary: `will run ${wanted}` };
    },
    async make(shown) {
      if (!shown.changes.some(({ address }) => address === wanted)) {
        throw new PermanentError(
          'PlanChanged',
          `${section.title} would be made by ${wanted}, which was not shown.`,
          {
            why: 'The runbook was changed since.',
            next: 'Retry the step that shows it, and decide anew.',
          },
        );
      }
      const outputs = await runOwnersCommand(at, what, section, { inputs });
      const names = Object.keys(outputs);
      const gave = names.length === 0 ? '' : `; it gave ${names.join(', ')}`;
      return { outputs, withheld: [], changed: 1, summary: `${section.title} made${gave}` };
    },
    async ready() {
      await look();
      const looked = section.check === undefined ? 'can only be told by running it' : 'says that it can';
      return { summary: `${section.title}: ${section.command[0]} ${looked}` };
    },
  };
};
