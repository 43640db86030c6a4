/** Every worker takes its work from this queue unless a site has one of its own. */
export const TASK_QUEUE = 'muster';
