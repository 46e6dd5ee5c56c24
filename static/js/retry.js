// How long to wait before the next try: longer each time, and never all pages at once.

const FIRST_MS = 1_000;
const MAX_MS = 30_000;

export function retryDelay(failures) {
  return Math.min(MAX_MS, FIRST_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}
