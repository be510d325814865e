/**
 * The texts "number 1", "number 2", … of a range, for messages whose order and count a test checks.
 */
export const numberedTexts = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `number ${from + i}`);
