import type { Scenario, TestClient } from '@godwit/testkit'

/** Both ends of the broker's life that a store has to outlive: stopped in order, and a process that dies. */
export const DOWNFALLS = ['stops', 'crashes'] as const

export async function restarts(broker: Scenario['broker'], goesDown: (typeof DOWNFALLS)[number]): Promise<void> {
  await broker[goesDown]()
  await broker.starts()
}

/** A 5.0 client whose session is kept. */
export async function durable(connects: Scenario['connects'], clientId: string, acknowledges = true): Promise<TestClient> {
  return await connects({ clientId, sessionExpirySeconds: 600, acknowledges })
}
