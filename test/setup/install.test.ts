import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { libraryFolders, starter, writeStarters } from '../../setup/install/debian-private.mjs';
import { buildEnvironment, downloadTemporal } from '../../setup/install/go.mjs';
import { relocate } from '../../setup/install/python.mjs';
import { machine, program, temporaryFolder } from './support.js';

describe('packages unpacked for one account', () => {
  test('start through a script that adds the libraries unpacked with them, in folders with odd names too', () => {
    const folder = path.join(temporaryFolder(), "it's here");
    const real = program(path.join(folder, 'real'), '');
    writeFileSync(real, '#!/bin/sh\necho "$LD_LIBRARY_PATH|$1|$#"\n');
    const script = path.join(folder, 'started');
    writeFileSync(script, starter(real, ['/a b', '/c']), { mode: 0o755 });
    const plain = execFileSync(script, ['x y', 'z'], { encoding: 'utf8', env: {} });
    expect(plain.trim()).toBe('/a b:/c|x y|2');
    const inherited = execFileSync(script, [], { encoding: 'utf8', env: { LD_LIBRARY_PATH: '/d' } });
    expect(inherited.trim()).toBe('/a b:/c:/d||0');
  });

  test('have a script for every program of PostgreSQL, named for the folder they will be moved to', () => {
    const draft = temporaryFolder();
    const tree = path.join(draft, 'tree');
    for (const name of ['postgres', 'initdb'])
      program(path.join(tree, 'usr/lib/postgresql/15/bin', name), name);
    mkdirSync(path.join(tree, 'usr/lib/x86_64-linux-gnu'), { recursive: true });
    writeFileSync(path.join(tree, 'usr/lib/x86_64-linux-gnu/libpq.so.5'), '');
    writeStarters(draft, '/final', ['postgres']);
    expect(readFileSync(path.join(draft, 'bin', 'initdb'), 'utf8')).toBe(
      `#!/bin/sh
LD_LIBRARY_PATH='/final/tree/usr/lib/x86_64-linux-gnu'\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
exec '/final/tree/usr/lib/postgresql/15/bin/initdb' "$@"
`,
    );
    expect(() => writeStarters(draft, '/final', ['nothing-of-the-kind'])).toThrow('hold none of');
  });

  test('have their libraries found wherever they lie', () => {
    const tree = temporaryFolder();
    for (const file of [
      'lib/x/libc.so.6',
      'usr/lib/x/pulse/libcommon-16.1.so',
      'usr/lib/x/empty/readme',
      'usr/bin/libx.so.1',
    ]) {
      mkdirSync(path.join(tree, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(tree, file), '');
    }
    expect(libraryFolders(tree)).toEqual(['lib/x', 'usr/lib/x/pulse']);
  });
});

test("a virtual environment's scripts name the folder it is moved to", () => {
  const folder = temporaryFolder();
  const script = program(path.join(folder, 'tool'), `${folder}/python3`);
  relocate(folder, folder, '/final place');
  expect(readFileSync(script, 'utf8')).toContain('/final place/python3');
  expect(statSync(script).mode & 0o111).toBe(0o111);
});

test("building takes nothing from the person's own Go settings", () => {
  const own = { PATH: '/bin', GOFLAGS: '-mod=vendor', GOOS: 'plan9', GOTOOLCHAIN: 'local', GOPROXY: 'kept' };
  expect(buildEnvironment('/b', '/go/bin/go', null, own)).toMatchObject({
    PATH: '/go/bin:/bin',
    GOBIN: '/b',
    GOFLAGS: '-modcacherw',
    GOOS: '',
    GOTOOLCHAIN: 'auto',
    GOPROXY: 'kept',
    CGO_ENABLED: '0',
  });
  expect(buildEnvironment('/b', '/go/bin/go', '/modules', own)).toMatchObject({ GOMODCACHE: '/modules/mod' });
});

describe("the vendor's download of Temporal", () => {
  let server: Server;
  let base: string;
  let archive: Buffer | null;
  const asked: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (archive === null) response.writeHead(404).end();
      else if (request.url?.startsWith('/cli/')) {
        response.end(JSON.stringify({ archiveUrl: `${base}/archive.tar.gz`, fileToExtract: 'temporal' }));
      } else response.end(archive);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  async function download(says: string | null): Promise<{ taken: boolean; bin: string; said: string[] }> {
    const folder = temporaryFolder();
    if (says === null) archive = null;
    else {
      program(path.join(folder, 'temporal'), says);
      archive = execFileSync('tar', ['-C', folder, '-cz', 'temporal']);
    }
    const bin = path.join(folder, 'bin');
    mkdirSync(bin);
    const said: string[] = [];
    const effects = {
      log: path.join(folder, 'log'),
      say: (line: string) => said.push(line),
      machine: machine(),
    };
    const taken = await downloadTemporal('example.org/temporal@v1.5.1', bin, effects, `${base}/cli`);
    return { taken, bin, said };
  }

  test('is taken when it is the pinned version', async () => {
    const { taken, bin } = await download('temporal version 1.5.1 (Server 1.29.1)');
    expect(taken).toBe(true);
    expect(existsSync(path.join(bin, 'temporal'))).toBe(true);
    expect(existsSync(path.join(bin, 'temporal.tar.gz'))).toBe(false);
    expect(asked[0]).toBe('/cli/v1.5.1?platform=linux&arch=amd64&format=tar.gz');
  });

  test('is not taken when it is another version, or not there: it is built then', async () => {
    const other = await download('temporal version 1.6.0');
    expect(other).toMatchObject({ taken: false });
    expect(other.said.at(-1)).toContain('brought another version: temporal version 1.6.0');
    expect(readdirSync(other.bin)).toEqual([]);
    const none = await download(null);
    expect(none).toMatchObject({ taken: false });
    expect(none.said.at(-1)).toBe('no download (answered 404), building it');
  });
});
