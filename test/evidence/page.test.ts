import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import type { ReportDocument } from '../../src/evidence/document.js';
import { renderHtml } from '../../src/evidence/html/render.js';
import { openBrowser } from '../support/browser.js';
import { abortedReport, finishedReport, longReport, steeredReport } from '../support/reports.js';

const digest = 'ab'.repeat(32);
let folder: string;
let browser: Browser;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-page-'));
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Opened {
  readonly page: Page;
  /** What the page said on the console, what it threw, and what it tried to load. */
  readonly noise: readonly string[];
}

async function opened(
  report: ReportDocument,
  width: number,
  colorScheme: 'light' | 'dark' = 'light',
): Promise<Opened> {
  const file = join(folder, 'report.html');
  writeFileSync(file, renderHtml(report, digest));
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const noise: string[] = [];
  page.on('console', (message) => noise.push(message.text()));
  page.on('pageerror', (error) => noise.push(error.message));
  page.on('request', (request) => {
    if (request.url() !== pathToFileURL(file).href) noise.push(request.url());
  });
  await page.goto(pathToFileURL(file).href);
  return { page, noise };
}

const reports = {
  recovered: finishedReport,
  aborted: abortedReport,
  long: longReport,
  steered: steeredReport,
};

describe.each(Object.entries(reports))('the page of a run that ended %s', (_name, report) => {
  test.each([
    ['wide', 1200],
    ['narrow', 390],
  ] as const)('stands right on a %s screen', async (shape, width) => {
    const { page, noise } = await opened(report, width);
    const found = await page.evaluate((name) => {
      const pictures = [...document.querySelectorAll('svg.timeline')];
      const shown = pictures.filter((picture) => getComputedStyle(picture).display !== 'none');
      const frame = shown[0]?.getBoundingClientRect() ?? new DOMRect();
      return {
        wide: document.documentElement.scrollWidth,
        shown: shown.map((picture) => picture.classList.contains(name)),
        bars: Object.fromEntries(
          [...document.querySelectorAll(`svg.${name} .row`)].map((row) => [
            row.getAttribute('data-step'),
            row.querySelectorAll('.bar').length,
          ]),
        ),
        outside: [...(shown[0]?.querySelectorAll('text') ?? [])]
          .filter((text) => {
            const box = text.getBoundingClientRect();
            return box.left < frame.left - 1 || box.right > frame.right + 1;
          })
          .map((text) => text.textContent),
      };
    }, shape);
    await page.close();
    expect(noise).toEqual([]);
    expect(found).toEqual({
      wide: width,
      shown: [true],
      bars: Object.fromEntries(report.steps.map((step) => [step.name, step.startedAt === undefined ? 0 : 1])),
      outside: [],
    });
  });
});

describe('the page', () => {
  test('tells on its first screen what happened: verdict, clock, data, loss, decisions', async () => {
    const { page } = await opened(finishedReport, 1200);
    const text = (await page.textContent('main')) ?? '';
    const first = text.slice(0, text.indexOf('Timeline'));
    await page.close();
    for (const said of [
      'Recovered',
      '6 min 1 s of 6 h for database',
      'waiting for people 1 min 22 s',
      '1 min 12 s',
      'transactions 41 records',
      'Approved gate-point',
      'technical director',
    ]) {
      expect(first.replace(/\s+/g, ' ')).toContain(said);
    }
  });

  test('says on its first screen, loudly, what was out of the ordinary', async () => {
    const { page } = await opened(steeredReport, 1200);
    const text = ((await page.textContent('main')) ?? '').replace(/\s+/g, ' ');
    const loud = ((await page.textContent('.loud')) ?? '').replace(/\s+/g, ' ');
    const above = await page.$eval('.loud', (section) => section.getBoundingClientRect().bottom);
    await page.close();
    expect(above).toBeLessThan(900);
    expect(loud).toContain(
      'Overridden promote 03:08:02 UTC' +
        'by night lead and security lead, without the approval of one more technical-director: the technical directors are on one aeroplane',
    );
    expect(loud).toContain('Skipped lower-dns-ttl');
    expect(loud).toContain(
      'Identity not proven: database lead 03:05:00 UTCthe roster asks for no proof: hold run',
    );
    const first = text.slice(0, text.indexOf('Timeline'));
    expect(first).toContain('Commander at the end: night lead');
    for (const said of [
      'Handed over2026-11-21 03:05:50 UTC by on-call engineer to night lead: end of shift',
      'Heldfor 40 s from 2026-11-21 03:05:00 UTC, by database lead: strange figures; resumed by on-call engineer',
      'Taken over2026-11-21 03:07:00 UTC by night lead, from the journal of a lost server',
      'proven by code of the authenticator and SSH signature, from 192.0.2.7, muster 0.1.0 on linux',
    ]) {
      expect(text).toContain(said);
    }
    const { page: ordinary } = await opened(finishedReport, 1200);
    expect(await ordinary.$('.loud')).toBeNull();
    await ordinary.close();
  });

  test('shows beside each decision what was seen when it was given', async () => {
    const { page } = await opened(finishedReport, 1200);
    const shown = await page.$$eval('.decision', (decisions) =>
      decisions.map((each) =>
        [...each.querySelectorAll('.saw dt')].map((term) => [
          term.textContent,
          term.nextElementSibling?.textContent,
        ]),
      ),
    );
    await page.close();
    expect(shown).toEqual(
      finishedReport.approvals.map(({ saw }) => saw.map(({ label, value }) => [label, value])),
    );
    expect(shown.flat().length).toBeGreaterThan(0);
  });

  test('lists every lost record by identifier, and of very many the first ones with what is left out', async () => {
    const { page } = await opened(finishedReport, 1200);
    const ids = await page.$$eval('.ids li', (items) => items.map((item) => item.firstChild?.textContent));
    await page.close();
    expect(ids.slice(0, 41)).toEqual(finishedReport.lost[0]?.listed.map(({ id }) => id));
    const large = await opened(longReport, 1200);
    const said = await large.page.textContent('details');
    await large.page.close();
    expect(said).toContain('The first 500; report.json lists 1,500 of 250,000.');
  });

  test('holds the SHA-256 of the JSON', () => {
    expect(renderHtml(finishedReport, digest)).toContain(
      `<meta name="muster-report-sha256" content="${digest}">`,
    );
  });

  test('says of a missed objective that it was missed, and of an abort that nothing came back', async () => {
    const late = await opened(longReport, 1200);
    expect(await late.page.textContent('h1')).toBe('Recovered, RTO and RPO missed');
    expect(await late.page.textContent('.verdict')).toContain('the RTO of 6 h was missed by 1 h 24 min');
    await late.page.close();
    const aborted = await opened(abortedReport, 1200);
    expect(await aborted.page.textContent('.verdict')).toContain(
      'The service was not brought back by this run.',
    );
    await aborted.page.close();
  });

  test('keeps enough contrast in the dark', async () => {
    const { page } = await opened(finishedReport, 1200, 'dark');
    const [paper, ink] = await page.$eval('main', (main) => {
      const { backgroundColor, color } = getComputedStyle(main);
      const brightness = (text: string) =>
        (text.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
      return [brightness(backgroundColor), brightness(color)] as const;
    });
    await page.close();
    expect(paper).toBeLessThan(40);
    expect(ink).toBeGreaterThan(220);
  });

  test('shows hostile text as text, wherever it comes from', async () => {
    const hostile = `</title></script><img src=x onerror="document.title='taken'"><script>document.title='taken'</script>"'&\u202e`;
    const poison = <T>(value: T, key = ''): T => {
      if (typeof value === 'string') {
        const needed = /At$|^at$|^(format|kind|status|mode|choice|channel|of|algorithm|sha256|hash)$/.test(
          key,
        );
        return (needed ? value : `${value}${hostile}`) as T;
      }
      if (Array.isArray(value)) return value.map((item) => poison(item, key)) as T;
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, poison(item, name)])) as T;
    };
    const { page, noise } = await opened(poison(longReport), 390);
    const found = await page.evaluate(() => ({
      title: document.title.includes('onerror'),
      images: document.querySelectorAll('img').length,
      scripts: document.querySelectorAll('script').length,
      handlers: [...document.querySelectorAll('*')].filter((element) =>
        element.getAttributeNames().some((name) => name.startsWith('on')),
      ).length,
      turned: document.documentElement.outerHTML.includes('\u202e'),
      wide: document.documentElement.scrollWidth,
    }));
    await page.close();
    expect(found).toEqual({ title: true, images: 0, scripts: 0, handlers: 0, turned: false, wide: 390 });
    expect(noise).toEqual([]);
  });
});
