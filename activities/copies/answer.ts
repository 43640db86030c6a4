import { MusterError, messageOf } from '../../src/errors.js';
import type { SurveyedCopy } from '../contract.js';

type Head = Pick<SurveyedCopy, 'id' | 'kind' | 'title'>;

/** A copy that cannot be read is told, and does not hide the others. */
export async function answering(
  head: Head,
  look: () => Promise<Omit<SurveyedCopy, keyof Head>>,
): Promise<readonly SurveyedCopy[]> {
  try {
    return [{ ...head, ...(await look()) }];
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    return [unread(head, messageOf(error))];
  }
}

export function unread(head: Head, why: string): SurveyedCopy {
  return { ...head, newestAt: null, unusable: why, says: 'cannot be read', loses: {}, lossUnknown: [] };
}
