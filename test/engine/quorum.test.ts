import fc from 'fast-check';
import type { Approval } from '../../src/model/decision.js';
import { type Demand, missingFor } from '../../workflows/engine/quorum.js';

const by = (name: string, ...roles: string[]): Approval => ({ by: name, roles, at: 'now', provenBy: [] });
const demand = (more: Partial<Demand>): Demand => ({
  roles: ['lead', 'security'],
  approvals: 1,
  from: 'any',
  escalateTo: [],
  escalated: false,
  ...more,
});

describe('whose word is missing', () => {
  test.each<[string, Partial<Demand>, Approval[], string | undefined]>([
    ['one of any role', {}, [], 'lead or security'],
    ['one of any role is enough', {}, [by('ada', 'lead')], undefined],
    ['somebody without the role does not count', {}, [by('bob', 'intern')], 'lead or security'],
    ['two of any role', { approvals: 2 }, [], '2 of lead or security'],
    ['one more', { approvals: 2 }, [by('ada', 'lead')], 'one more lead or security'],
    ['two of one role are enough', { approvals: 2 }, [by('ada', 'lead'), by('cy', 'lead')], undefined],
    ['each role', { approvals: 2, from: 'each' }, [], 'one lead and one security'],
    ['each role, one is there', { approvals: 2, from: 'each' }, [by('ada', 'lead')], 'one security'],
    [
      'one person with both roles stands for one of them',
      { approvals: 2, from: 'each' },
      [by('cy', 'lead', 'security')],
      'one security',
    ],
    [
      'whoever has both roles makes room for whoever has one',
      { approvals: 2, from: 'each' },
      [by('cy', 'lead', 'security'), by('ada', 'lead')],
      undefined,
    ],
    [
      'each role and one more',
      { approvals: 3, from: 'each' },
      [by('ada', 'lead'), by('sec', 'security')],
      'one more lead or security',
    ],
    [
      'those escalated to do not count before',
      { escalateTo: ['boss'] },
      [by('dee', 'boss')],
      'lead or security',
    ],
    ['and count then', { escalateTo: ['boss'], escalated: true }, [by('dee', 'boss')], undefined],
    [
      'they stand for any role',
      { approvals: 2, from: 'each', escalateTo: ['boss'], escalated: true },
      [by('ada', 'lead'), by('dee', 'boss')],
      undefined,
    ],
  ])('%s', (_title, more, approvals, expected) => {
    expect(missingFor(demand(more), approvals)).toBe(expected);
  });

  const roles = ['a', 'b', 'c'];
  const people = fc
    .array(fc.uniqueArray(fc.constantFrom(...roles, 'other'), { maxLength: 3 }), { maxLength: 5 })
    .map((all) => all.map((theirs, index) => by(`p${index}`, ...theirs)));

  test('of each role: opens exactly when different people can stand for all of them', () => {
    fc.assert(
      fc.property(people, fc.uniqueArray(fc.constantFrom(...roles), { minLength: 1 }), (approvals, asked) => {
        const assign = (left: readonly string[], free: readonly Approval[]): boolean => {
          const [role, ...rest] = left;
          if (role === undefined) return true;
          return free.some(
            (person) =>
              person.roles.includes(role) &&
              assign(
                rest,
                free.filter((one) => one !== person),
              ),
          );
        };
        const opens =
          missingFor(demand({ roles: asked, approvals: asked.length, from: 'each' }), approvals) ===
          undefined;
        expect(opens).toBe(assign(asked, approvals));
      }),
    );
  });

  test('one word more never closes a gate again', () => {
    fc.assert(
      fc.property(people, people, fc.integer({ min: 1, max: 4 }), fc.boolean(), (some, more, n, each) => {
        const asked = demand({
          roles: ['a', 'b'],
          approvals: each ? Math.max(2, n) : n,
          from: each ? 'each' : 'any',
        });
        if (missingFor(asked, some) !== undefined) return;
        expect(missingFor(asked, [...some, ...more])).toBeUndefined();
      }),
    );
  });
});
