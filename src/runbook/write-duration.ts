/** A duration exactly as a runbook would hold it: `90 s`, `5 min`, `6 h`, `30 d`. */
export function writeDuration(durationMs: number): string {
  const units: readonly (readonly [number, string])[] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ];
  // 24 h are an RPO as people say it; days begin at two.
  const fitting = units.find(
    ([unit, name]) => durationMs % unit === 0 && durationMs >= unit * (name === 'd' ? 2 : 1),
  );
  return fitting === undefined ? `${durationMs} ms` : `${durationMs / fitting[0]} ${fitting[1]}`;
}
