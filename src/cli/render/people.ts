/** The roster for a terminal: a block a person. */
import type { GateOfPerson, PersonOfRoster, Roster } from '../../people/who-decides.js';
import type { Colors } from '../output.js';
import { plain } from './line.js';
import { wrapText } from './wrap-text.js';

export function renderPeople(
  title: string,
  { people, overrideTakes }: Roster,
  colors: Colors,
  width: number,
): string {
  const override =
    overrideTakes === null
      ? 'Nobody can override a gate: the runbook has no breakGlass.'
      : `An override takes ${overrideTakes === 1 ? 'one person' : `${overrideTakes} different people`} and a reason.`;
  return [colors.bold(plain(title)), ...people.map((person) => block(person, colors, width)), override].join(
    '\n\n',
  );
}

function block(person: PersonOfRoster, colors: Colors, width: number): string {
  const { name, roles, contacts, proofs, gates, mayOverride } = person;
  const ways = [...(proofs.totp ? ['authenticator'] : []), ...proofs.keys];
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['reached by', contacts],
    ['proves by', ways.length === 0 ? ['nothing: the word counts as it is'] : ways],
    ['decides', gates.length === 0 ? ['at no gate'] : gates.map(inWords)],
    ...(mayOverride ? [['overrides', ['together with the others who may']] as const] : []),
  ];
  return [
    `${colors.bold(plain(name))}  ${colors.dim(roles.join(', '))}`,
    ...rows.flatMap(([label, values]) =>
      values.flatMap((value, index) =>
        wrapText(plain(value), width - 14).map(
          (line, part) => `  ${(index === 0 && part === 0 ? label : '').padEnd(12)}${line}`,
        ),
      ),
    ),
  ].join('\n');
}

function inWords({ scenario, gate, when, needs, counts }: GateOfPerson): string {
  const place = `${scenario}: gate ${gate}${when === 'escalated' ? ', once it has escalated' : ''}`;
  return counts
    ? `${place}, with ${needs}`
    : `${place}: CANNOT COUNT, ${needs} is asked and there is no authenticator`;
}
