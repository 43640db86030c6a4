/** Messages and stack traces of failures travel as a payload, so that the codec encrypts them like any other. */
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
