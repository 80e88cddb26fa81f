/** One line of a training's history. Holds no time or throughput: those belong to the run's record. */
export type HistoryEntry =
  | {
      readonly type: 'step';
      /** 1 is the first optimizer step; 0 is before training. */
      readonly step: number;
      readonly epoch: number;
      /** Mean cross-entropy over the step's targets. */
      readonly loss: number;
      readonly learning_rate: number;
      /** Euclidean norm over all gradients, before clipping. */
      readonly gradient_norm: number;
      /** Real (unpadded) input tokens since the start. */
      readonly tokens: number;
      /** The loss was a spike, and the step changed no weight. */
      readonly spike?: true;
    }
  | {
      readonly type: 'evaluation';
      readonly step: number;
      readonly epoch: number;
      readonly train_loss: number;
      readonly validation_loss?: number;
    }
  | {
      readonly type: 'sample';
      readonly step: number;
      readonly epoch: number;
      readonly prompt: string;
      readonly response: string;
    }
  | {
      readonly type: 'end';
      readonly step: number;
      readonly epoch: number;
      readonly best_step?: number;
      readonly reason: 'completed' | 'early_stop' | 'loss_spike';
    };
