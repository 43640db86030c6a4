import { InputError } from '../../src/errors.js';
import { storeSettings } from '../../src/store/settings.js';

const password = { MUSTER_STORE_PASSWORD: 'file:/run/secrets/store' };

describe('storeSettings', () => {
  test('reads where the store is, the password by reference', () => {
    expect(
      storeSettings({ MUSTER_STORE_URL: 'postgres://muster@127.0.0.1:7543/record', ...password }),
    ).toEqual({
      host: '127.0.0.1',
      port: 7543,
      database: 'record',
      user: 'muster',
      password: 'file:/run/secrets/store',
      tls: 'disable',
    });
  });

  test('demands TLS wherever the store is not on this machine', () => {
    const url = 'postgres://muster@store.example/record';
    expect(storeSettings({ MUSTER_STORE_URL: url, ...password })).toMatchObject({
      port: 5432,
      tls: 'verify-full',
    });
    expect(storeSettings({ MUSTER_STORE_URL: `${url}?sslmode=disable`, ...password })).toMatchObject({
      tls: 'disable',
    });
  });

  test('answers undefined where no store is configured', () => {
    expect(storeSettings({})).toBeUndefined();
  });

  test.each([
    ['not a URL', 'store', password],
    ['another kind of URL', 'https://muster@store/record', password],
    ['no user', 'postgres://store/record', password],
    ['no database', 'postgres://muster@store', password],
    ['an unknown sslmode', 'postgres://muster@store/record?sslmode=prefer', password],
    ['no password', 'postgres://muster@store/record', {}],
  ])('refuses %s', (_what, url, rest) => {
    expect(() => storeSettings({ MUSTER_STORE_URL: url, ...rest })).toThrow(InputError);
  });

  test('refuses a password in the clear and does not repeat it', () => {
    for (const env of [
      { MUSTER_STORE_URL: 'postgres://muster:hunter2@store/record', ...password },
      { MUSTER_STORE_URL: 'postgres://muster@store/record', MUSTER_STORE_PASSWORD: 'hunter2' },
    ]) {
      let thrown: unknown;
      try {
        storeSettings(env);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(InputError);
      expect(JSON.stringify((thrown as InputError).problems)).not.toContain('hunter2');
    }
  });
});
