/** The share of a budget that one connection holds. */
export interface Holding {
  /** Sets the number of bytes that are held now. */
  resize(bytes: number): void;
  release(): void;
}

/** A memory limit that all connections share. */
export interface Budget {
  /** @param giveWay called when others need the memory; it must release the holding */
  hold(giveWay: () => void): Holding;
}

/**
 * Limits the total memory of all connections. When the limit is exceeded, the connection that has held memory for the
 * longest time is evicted. kube-apiserver sends and reads within milliseconds, so this is a slow or stalled client.
 */
export function createBudget(limit: number): Budget {
  const holders = new Map<Holding, { bytes: number; giveWay: () => void }>(); // in order of creation, oldest first
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
