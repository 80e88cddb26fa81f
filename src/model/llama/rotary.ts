/** How the heads of a model are turned by their positions. */
export interface Rotary {
  /** Elements of a head that turn, R; even. */
  readonly width: number;
  /** The base of the wavelengths. */
  readonly base: number;
  readonly scaling: RotaryScaling;
}

/** How the wavelengths are stretched for texts that are longer than those of the first training. */
export type RotaryScaling =
  | { readonly kind: 'default' }
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'dynamic';
      readonly factor: number;
      /** Longer texts are stretched, the more the longer. */
      readonly trainedLength: number;
    }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly trainedLength: number;
      /** Pairs that turn more often than this in a text of the trained length stay as they are. */
      readonly betaFast: number;
      /** Pairs that turn less often than this are stretched by the whole factor. */
      readonly betaSlow: number;
      /** Whether the ramp between them begins and ends at whole pairs. */
      readonly truncate: boolean;
      readonly attentionFactor: number;
    }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly trainedLength: number;
    }
  | {
      readonly kind: 'longrope';
      /** One for each pair, in texts of up to the trained length. */
      readonly shortFactors: readonly number[];
      /** The same in longer texts. */
      readonly longFactors: readonly number[];
      readonly trainedLength: number;
      readonly attentionFactor: number;
    };
