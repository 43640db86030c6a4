import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** What runs can be searched by in Temporal. */
export const searchAttributes = {
  system: defineSearchAttributeKey('MusterSystem', SearchAttributeType.KEYWORD),
  scenario: defineSearchAttributeKey('MusterScenario', SearchAttributeType.KEYWORD),
  mode: defineSearchAttributeKey('MusterMode', SearchAttributeType.KEYWORD),
  status: defineSearchAttributeKey('MusterStatus', SearchAttributeType.KEYWORD),
  /** The steps that work or wait now, in plan order, separated by spaces. */
  step: defineSearchAttributeKey('MusterStep', SearchAttributeType.KEYWORD),
  rtoDeadline: defineSearchAttributeKey('MusterRtoDeadline', SearchAttributeType.DATETIME),
} as const;
