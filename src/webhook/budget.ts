/** What one connection holds of a budget. */
export interface Holding {
  /** Says how many bytes are held now. */
  resize(bytes: number): void;
  release(): void;
}

/** Memory that is shared by all connections. */
export interface Budget {
  /** @param giveWay is called when the memory is needed for others; it must release the holding */
  hold(giveWay: () => void): Holding;
}

/**
 * Bounds what connections hold in memory together. When there is too much, the connection that has held its part longest
 * gives way: kube-apiserver sends and reads in milliseconds, so that is a client that is slow or has stopped.
 */
export function createBudget(limit: number): Budget {
  const holders = new Map<Holding, { bytes: number; giveWay: () => void }>(); // the one that began first is first
  let total = 0;

  function makeRoom(): void {
    for (const { giveWay } of holders.values()) {
      if (total <= limit) return;
      giveWay();
    }
  }

  return {
    hold(giveWay) {
      const part = { bytes: 0, giveWay };
      const holding: Holding = {
        resize(bytes) {
          if (!holders.has(holding)) return;
          total += bytes - part.bytes;
          part.bytes = bytes;
          makeRoom();
        },
        release() {
          if (holders.delete(holding)) total -= part.bytes;
        },
      };
      holders.set(holding, part);
      return holding;
    },
  };
}
