import type { NetworkShape } from '../sim-network.ts'

/** Names the network that every scenario runs on: `whole`, `bytes`, `handed-over`, a seed, or `random` for a seed that is printed. */
const NETWORK_VARIABLE = 'GODWIT_NETWORK'

/** Plays on each of these networks, or on the one that the environment names; a failure says how to repeat it. */
export async function playOnNetworks(
  networks: readonly NetworkShape[],
  play: (shape: NetworkShape) => Promise<void>
): Promise<void> {
  for (const shape of networksToRun(networks)) {
    try {
      await play(shape)
    } catch (error) {
      const network = typeof shape === 'string' ? shape : shape.seed
      if (error instanceof Error) error.message += `\n(to repeat: ${NETWORK_VARIABLE}=${network})`
      throw error
    }
  }
}

function networksToRun(networks: readonly NetworkShape[]): readonly NetworkShape[] {
  const chosen = process.env[NETWORK_VARIABLE]
  if (chosen === undefined || chosen === '') return networks
  if (chosen === 'whole' || chosen === 'bytes' || chosen === 'handed-over') return [chosen]
  const seed = chosen === 'random' ? Math.floor(Math.random() * 0x7fff_ffff) : Number(chosen)
  if (Number.isSafeInteger(seed)) return [{ seed }]
  throw new RangeError(`${NETWORK_VARIABLE} is ${chosen}; accepted are whole, bytes, handed-over, random and a seed`)
}
