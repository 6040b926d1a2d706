/** Names keys that hash to given slots; used for the lab's probe writes. Pure. */
import calculateSlot from 'cluster-key-slot';

/** A key of the lab's own (never a workload's) whose slot is in the inclusive range. */
export function probeKey(firstSlot: number, lastSlot: number): string {
  for (let i = 0; ; i++) {
    const key = `kvbench-lab-probe:${i}`;
    const slot = calculateSlot(key);
    if (slot >= firstSlot && slot <= lastSlot) return key;
  }
}
