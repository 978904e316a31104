import { randomBelow } from '@godwit/testkit'

/** What is drawn from one seed. */
export class Choices {
  readonly random: () => number

  constructor(random: () => number) {
    this.random = random
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return randomBelow(this.random, end)
  }

  chance(share: number): boolean {
    return this.random() < share
  }

  one<T>(first: T, ...others: readonly T[]): T {
    return others[this.below(others.length + 1) - 1] ?? first
  }

  among<T>(values: readonly [T, ...T[]]): T {
    return this.one(...values)
  }

  /** One of several, each as often as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>, otherwise: T): T {
    const entries = Object.entries<number>(weights)
    let left = this.random() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const name of namesOf(weights)) {
      left -= weights[name]
      if (left < 0) return name
    }
    return otherwise
  }
}

function namesOf<T extends string>(weights: Readonly<Record<T, number>>): T[] {
  return Object.keys(weights).filter((name): name is T => Object.hasOwn(weights, name))
}
