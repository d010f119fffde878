const units: Record<string, number> = {
  n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
}; // prettier-ignore

export const quantityPattern = /^(\d+(?:\.\d*)?|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+|)$/;

/** Parses a Kubernetes quantity like `500m` or `2Gi` into a number. Undefined if the text is not a quantity. */
export function quantityValue(text: string): number | undefined {
  const match = quantityPattern.exec(text);
  if (!match) return undefined;
  const [, digits = "", unit = ""] = match;
  return /^[eE]./.test(unit) ? Number(digits + unit) : Number(digits) * units[unit]!;
}
