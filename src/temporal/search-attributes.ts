/** The search attributes of runs, registered with the server that keeps them. */
import type { Connection } from '@temporalio/client';
import { SearchAttributeType } from '@temporalio/common';
import { TransientError } from '../errors.js';
import { searchAttributes } from '../model/search-attributes.js';

// temporal.api.enums.v1.IndexedValueType
const indexedTypes: Readonly<Record<string, number>> = {
  [SearchAttributeType.TEXT]: 1,
  [SearchAttributeType.KEYWORD]: 2,
  [SearchAttributeType.INT]: 3,
  [SearchAttributeType.DOUBLE]: 4,
  [SearchAttributeType.BOOL]: 5,
  [SearchAttributeType.DATETIME]: 6,
  [SearchAttributeType.KEYWORD_LIST]: 7,
};

const DEADLINE_MS = 10_000;

/**
 * Registers what is missing of Muster's search attributes; does nothing where all are there. Temporal Cloud has no operator
 * service: there they are made with `tcld` or in its UI, and this only looks whether they are.
 *
 * @throws TransientError `SearchAttributesMissing` when they are not there and cannot be registered
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const wanted = Object.fromEntries(
    Object.values(searchAttributes).map((key) => [key.name, indexedTypes[key.type] as number]),
  );
  try {
    await connection.withDeadline(Date.now() + DEADLINE_MS, async () => {
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
      const missing = Object.entries(wanted).filter(([name]) => customAttributes?.[name] === undefined);
      if (missing.length === 0) return;
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing),
      });
    });
  } catch (error) {
    // Two workers may begin at once: the second is told that they exist.
    if (/already exist/i.test(String((error as { details?: unknown }).details))) return;
    const types = Object.values(searchAttributes)
      .map((key) => `${key.name} (${key.type})`)
      .join(', ');
    throw new TransientError(
      'SearchAttributesMissing',
      `Temporal's namespace ${namespace} does not have Muster's search attributes, and they could not be registered.`,
      { next: `Register them by hand: ${types}. Then start the worker again.`, cause: error },
    );
  }
}
