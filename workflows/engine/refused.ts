import { ApplicationFailureCategory } from '@temporalio/common';
import { ApplicationFailure } from '@temporalio/workflow';

/** The answer to a decision that is not accepted. */
export function refusedFailure(message: string): ApplicationFailure {
  return ApplicationFailure.create({
    message,
    type: 'DecisionRefused',
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
  });
}
