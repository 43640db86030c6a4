/** Imports point one way: workflows know types and pure modules, activities know src, and nothing rests on lab, tests or benchmarks. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(__dirname, '../..');

interface Import {
  /** From the root: `src/cli/main.ts`. */
  readonly from: string;
  /** The same, or the name of a package. */
  readonly to: string;
  /** Gone once compiled. */
  readonly typesOnly: boolean;
}

/** `import`, `export ... from` and `import()`, as biome formats them. */
const STATEMENT =
  /^(?:import|export)\s+(type\s)?([^;'"]*?)\s*from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm;

function importsOf(from: string): Import[] {
  const text = readFileSync(join(root, from), 'utf8');
  return [...text.matchAll(STATEMENT)].map(([, type, names = '', named, bare, dynamic]) => {
    const target = named ?? bare ?? dynamic ?? '';
    const list = /^\{([^}]*)\}$/.exec(names.trim())?.[1]?.split(',') ?? [];
    const members = list.map((name) => name.trim()).filter((name) => name !== '');
    const allTypes = members.length > 0 && members.every((name) => name.startsWith('type '));
    const to = target.startsWith('.')
      ? relative(root, resolve(root, dirname(from), target)).replace(/\.js$/, '.ts')
      : target;
    return { from, to, typesOnly: type !== undefined || allTypes };
  });
}

function filesIn(folder: string): string[] {
  return listFiles(join(root, folder)).map((file) => relative(root, file));
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return listFiles(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

const all = ['src', 'activities', 'workflows'].flatMap(filesIn).flatMap(importsOf);
const inFolder = (path: string, ...folders: string[]) =>
  folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
const shown = (imports: readonly Import[]) => imports.map(({ from, to }) => `${from} imports ${to}`);

it('sees the imports that there are', () => {
  expect(shown(all)).toEqual(
    expect.arrayContaining([
      'src/worker.ts imports activities/index.ts',
      'src/cli/commands/lab.ts imports lab/commands.ts',
      'workflows/corruption.ts imports workflows/engine/plan.ts',
    ]),
  );
});

it('nothing of Muster rests on the lab, tests or benchmarks', () => {
  const wrong = all.filter(
    // The command that is about the lab opens the door to it.
    ({ from, to }) => inFolder(to, 'lab', 'test', 'bench') && from !== 'src/cli/commands/lab.ts',
  );
  expect(shown(wrong)).toEqual([]);
});

it('activities know src, not who calls them', () => {
  const wrong = all.filter(
    ({ from, to, typesOnly }) =>
      inFolder(from, 'activities') && (inFolder(to, 'src/cli') || (inFolder(to, 'workflows') && !typesOnly)),
  );
  expect(shown(wrong)).toEqual([]);
});

it('what lies below the command line and the worker does not reach up to them', () => {
  const top = (path: string) => inFolder(path, 'src/cli', 'src/worker.ts');
  const wrong = all.filter(
    ({ from, to, typesOnly }) =>
      inFolder(from, 'src') &&
      !top(from) &&
      !typesOnly &&
      (top(to) || inFolder(to, 'activities', 'workflows')),
  );
  expect(shown(wrong)).toEqual([]);
});

it('workflows and all that they load are free of effects', () => {
  const loaded = new Set(filesIn('workflows').filter((file) => file !== 'workflows/engine/hash.ts'));
  const wrong: Import[] = [];
  for (const file of loaded) {
    for (const each of importsOf(file).filter(({ typesOnly }) => !typesOnly)) {
      const { to } = each;
      if (!inFolder(to, 'src', 'activities', 'workflows')) {
        if (to.startsWith('node:') || builtinModules.includes(to) || /^(pg|@aws-sdk|execa)/.test(to))
          wrong.push(each);
      } else {
        // How a step is done by hand is text; all else of an activity is effect.
        if (inFolder(to, 'activities') && !inFolder(file, 'activities') && !/commands\.ts$/.test(to))
          wrong.push(each);
        loaded.add(to);
      }
    }
  }
  expect(shown(wrong)).toEqual([]);
  expect(loaded.size).toBeGreaterThan(30);
});
