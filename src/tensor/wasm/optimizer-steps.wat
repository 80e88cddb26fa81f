;; The steps of the optimizers, four float32 elements at a time, over arrays that are copied into this memory and back.
;; Memory holds six arrays of 8192 elements, one after the other:
;; parameters at byte 0, gradients at 32768, first states at 65536, second states at 98304,
;; factors of rows at 131072, factors of columns at 163840.
(module
  (memory (export "memory") 3)

  ;; AdamW over $count elements; the states are its first and second moments.
  (func (export "adamW")
    (param $count i32)
    (param $gradientScale f32)
    (param $decay f32)
    (param $beta1 f32)
    (param $rest1 f32)
    (param $beta2 f32)
    (param $rest2 f32)
    (param $stepSize f32)
    (param $rootScale f32)
    (param $epsilon f32)
    (local $at i32)
    (local $end i32)
    (local $g v128)
    (local $m v128)
    (local $v v128)
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (loop $next
      ;; g = gradientScale gradient
      (local.set $g
        (f32x4.mul (v128.load offset=32768 (local.get $at)) (f32x4.splat (local.get $gradientScale))))
      ;; m = beta1 m + (1 - beta1) g
      (local.set $m
        (f32x4.add
          (f32x4.mul (v128.load offset=65536 (local.get $at)) (f32x4.splat (local.get $beta1)))
          (f32x4.mul (local.get $g) (f32x4.splat (local.get $rest1)))))
      (v128.store offset=65536 (local.get $at) (local.get $m))
      ;; v = beta2 v + (1 - beta2) g g
      (local.set $v
        (f32x4.add
          (f32x4.mul (v128.load offset=98304 (local.get $at)) (f32x4.splat (local.get $beta2)))
          (f32x4.mul (f32x4.mul (local.get $g) (local.get $g)) (f32x4.splat (local.get $rest2)))))
      (v128.store offset=98304 (local.get $at) (local.get $v))
      ;; parameter = decay parameter - stepSize m / (rootScale sqrt(v) + epsilon)
      (v128.store (local.get $at)
        (f32x4.sub
          (f32x4.mul (v128.load (local.get $at)) (f32x4.splat (local.get $decay)))
          (f32x4.div
            (f32x4.mul (local.get $m) (f32x4.splat (local.get $stepSize)))
            (f32x4.add
              (f32x4.mul (f32x4.sqrt (local.get $v)) (f32x4.splat (local.get $rootScale)))
              (f32x4.splat (local.get $epsilon))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))

  ;; Lion over $count elements; the first state is its momentum.
  (func (export "lion")
    (param $count i32)
    (param $gradientScale f32)
    (param $decay f32)
    (param $learningRate f32)
    (param $beta1 f32)
    (param $rest1 f32)
    (param $beta2 f32)
    (param $rest2 f32)
    (local $at i32)
    (local $end i32)
    (local $g v128)
    (local $m v128)
    (local $direction v128)
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (loop $next
      (local.set $g
        (f32x4.mul (v128.load offset=32768 (local.get $at)) (f32x4.splat (local.get $gradientScale))))
      (local.set $m (v128.load offset=65536 (local.get $at)))
      ;; direction = sign(beta1 m + (1 - beta1) g): the smallest float32 times 1e46 is above 1.
      (local.set $direction
        (f32x4.mul
          (f32x4.mul
            (f32x4.add
              (f32x4.mul (local.get $m) (f32x4.splat (local.get $beta1)))
              (f32x4.mul (local.get $g) (f32x4.splat (local.get $rest1))))
            (f32x4.splat (f32.const 1e23)))
          (f32x4.splat (f32.const 1e23))))
      (local.set $direction
        (f32x4.max
          (f32x4.min (local.get $direction) (f32x4.splat (f32.const 1)))
          (f32x4.splat (f32.const -1))))
      ;; parameter = decay parameter - learningRate direction
      (v128.store (local.get $at)
        (f32x4.sub
          (f32x4.mul (v128.load (local.get $at)) (f32x4.splat (local.get $decay)))
          (f32x4.mul (local.get $direction) (f32x4.splat (local.get $learningRate)))))
      ;; m = beta2 m + (1 - beta2) g
      (v128.store offset=65536 (local.get $at)
        (f32x4.add
          (f32x4.mul (local.get $m) (f32x4.splat (local.get $beta2)))
          (f32x4.mul (local.get $g) (f32x4.splat (local.get $rest2)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))

  ;; SGD over $count elements; the first state is its momentum, a sum of gradients.
  (func (export "sgd")
    (param $count i32)
    (param $gradientScale f32)
    (param $weightDecay f32)
    (param $learningRate f32)
    (param $momentum f32)
    ;; The step is gradientShare g + sumShare sum.
    (param $gradientShare f32)
    (param $sumShare f32)
    (local $at i32)
    (local $end i32)
    (local $g v128)
    (local $sum v128)
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (loop $next
      ;; g = gradientScale gradient + weightDecay parameter
      (local.set $g
        (f32x4.add
          (f32x4.mul (v128.load offset=32768 (local.get $at)) (f32x4.splat (local.get $gradientScale)))
          (f32x4.mul (v128.load (local.get $at)) (f32x4.splat (local.get $weightDecay)))))
      ;; sum = momentum sum + g
      (local.set $sum
        (f32x4.add
          (f32x4.mul (v128.load offset=65536 (local.get $at)) (f32x4.splat (local.get $momentum)))
          (local.get $g)))
      (v128.store offset=65536 (local.get $at) (local.get $sum))
      ;; parameter -= learningRate (gradientShare g + sumShare sum)
      (v128.store (local.get $at)
        (f32x4.sub
          (v128.load (local.get $at))
          (f32x4.mul
            (f32x4.add
              (f32x4.mul (local.get $g) (f32x4.splat (local.get $gradientShare)))
              (f32x4.mul (local.get $sum) (f32x4.splat (local.get $sumShare))))
            (f32x4.splat (local.get $learningRate)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))

  ;; The sums of squares of the gradients' $rows rows of $stride elements, a multiple of four, in place of the factors of
  ;; rows. Those of their columns are added to the factors of columns.
  (func (export "addSquares")
    (param $rows i32)
    (param $stride i32)
    (param $gradientScale f32)
    (local $at i32)
    (local $row i32)
    (local $column i32)
    (local $square v128)
    (local $sum v128)
    (loop $nextRow
      (local.set $sum (f32x4.splat (f32.const 0)))
      (local.set $column (i32.const 0))
      (loop $next
        (local.set $square
          (f32x4.mul (v128.load offset=32768 (local.get $at)) (f32x4.splat (local.get $gradientScale))))
        (local.set $square (f32x4.mul (local.get $square) (local.get $square)))
        (local.set $sum (f32x4.add (local.get $sum) (local.get $square)))
        (v128.store offset=163840 (local.get $column)
          (f32x4.add (v128.load offset=163840 (local.get $column)) (local.get $square)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (local.set $column (i32.add (local.get $column) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $column) (i32.shl (local.get $stride) (i32.const 2)))))
      (f32.store offset=131072 (local.get $row)
        (f32.add
          (f32.add (f32x4.extract_lane 0 (local.get $sum)) (f32x4.extract_lane 1 (local.get $sum)))
          (f32.add (f32x4.extract_lane 2 (local.get $sum)) (f32x4.extract_lane 3 (local.get $sum)))))
      (local.set $row (i32.add (local.get $row) (i32.const 4)))
      (br_if $nextRow (i32.lt_u (local.get $row) (i32.shl (local.get $rows) (i32.const 2))))))

  ;; The sum of the squares of the updates (row factor x column factor) g of such rows.
  (func (export "squaredUpdates")
    (param $rows i32)
    (param $stride i32)
    (param $gradientScale f32)
    (result f64)
    (local $at i32)
    (local $row i32)
    (local $column i32)
    (local $update v128)
    (local $sum v128)
    (local $total f64)
    (loop $nextRow
      (local.set $sum (f32x4.splat (f32.const 0)))
      (local.set $column (i32.const 0))
      (loop $next
        (local.set $update
          (f32x4.mul
            (f32x4.mul
              (v128.load offset=163840 (local.get $column))
              (v128.load32_splat offset=131072 (local.get $row)))
            (f32x4.mul
              (v128.load offset=32768 (local.get $at))
              (f32x4.splat (local.get $gradientScale)))))
        (local.set $sum (f32x4.add (local.get $sum) (f32x4.mul (local.get $update) (local.get $update))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (local.set $column (i32.add (local.get $column) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $column) (i32.shl (local.get $stride) (i32.const 2)))))
      (local.set $total
        (f64.add
          (local.get $total)
          (f64.promote_f32
            (f32.add
              (f32.add (f32x4.extract_lane 0 (local.get $sum)) (f32x4.extract_lane 1 (local.get $sum)))
              (f32.add (f32x4.extract_lane 2 (local.get $sum)) (f32x4.extract_lane 3 (local.get $sum)))))))
      (local.set $row (i32.add (local.get $row) (i32.const 4)))
      (br_if $nextRow (i32.lt_u (local.get $row) (i32.shl (local.get $rows) (i32.const 2)))))
    (local.get $total))

  ;; Adafactor's step over such rows; the first state is its momentum.
  (func (export "adafactor")
    (param $rows i32)
    (param $stride i32)
    (param $gradientScale f32)
    (param $decay f32)
    ;; The learning rate over the clipping of the update.
    (param $stepSize f32)
    (param $beta1 f32)
    (param $rest1 f32)
    (local $at i32)
    (local $row i32)
    (local $column i32)
    (local $change v128)
    (loop $nextRow
      (local.set $column (i32.const 0))
      (loop $next
        (local.set $change
          (f32x4.mul
            (f32x4.mul
              (v128.load offset=163840 (local.get $column))
              (v128.load32_splat offset=131072 (local.get $row)))
            (f32x4.mul
              (v128.load offset=32768 (local.get $at))
              (f32x4.splat (local.get $gradientScale)))))
        ;; m = beta1 m + (1 - beta1) stepSize update
        (local.set $change
          (f32x4.add
            (f32x4.mul (v128.load offset=65536 (local.get $at)) (f32x4.splat (local.get $beta1)))
            (f32x4.mul
              (f32x4.mul (local.get $change) (f32x4.splat (local.get $stepSize)))
              (f32x4.splat (local.get $rest1)))))
        (v128.store offset=65536 (local.get $at) (local.get $change))
        ;; parameter = decay parameter - m
        (v128.store (local.get $at)
          (f32x4.sub
            (f32x4.mul (v128.load (local.get $at)) (f32x4.splat (local.get $decay)))
            (local.get $change)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (local.set $column (i32.add (local.get $column) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $column) (i32.shl (local.get $stride) (i32.const 2)))))
      (local.set $row (i32.add (local.get $row) (i32.const 4)))
      (br_if $nextRow (i32.lt_u (local.get $row) (i32.shl (local.get $rows) (i32.const 2))))))

  ;; Adds the squares of $count elements, a multiple of four, of each of the first four arrays to a pair of doubles at 131072,
  ;; 131088, 131104 and 131120: those of elements at even places to the first, of others to the second. An addition waits for
  ;; the one before it in the same pair, so four arrays take hardly longer than one.
  (func (export "squares")
    (param $count i32)
    (local $at i32)
    (local $end i32)
    (local $x v128)
    (local $low v128)
    (local $high v128)
    (local $sum0 v128)
    (local $sum1 v128)
    (local $sum2 v128)
    (local $sum3 v128)
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (local.set $sum0 (v128.load (i32.const 131072)))
    (local.set $sum1 (v128.load (i32.const 131088)))
    (local.set $sum2 (v128.load (i32.const 131104)))
    (local.set $sum3 (v128.load (i32.const 131120)))
    (loop $next
      (local.set $x (v128.load offset=0 (local.get $at)))
      (local.set $low (f64x2.promote_low_f32x4 (local.get $x)))
      (local.set $high
        (f64x2.promote_low_f32x4
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $x) (local.get $x))))
      (local.set $sum0 (f64x2.add (local.get $sum0) (f64x2.mul (local.get $low) (local.get $low))))
      (local.set $sum0 (f64x2.add (local.get $sum0) (f64x2.mul (local.get $high) (local.get $high))))
      (local.set $x (v128.load offset=32768 (local.get $at)))
      (local.set $low (f64x2.promote_low_f32x4 (local.get $x)))
      (local.set $high
        (f64x2.promote_low_f32x4
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $x) (local.get $x))))
      (local.set $sum1 (f64x2.add (local.get $sum1) (f64x2.mul (local.get $low) (local.get $low))))
      (local.set $sum1 (f64x2.add (local.get $sum1) (f64x2.mul (local.get $high) (local.get $high))))
      (local.set $x (v128.load offset=65536 (local.get $at)))
      (local.set $low (f64x2.promote_low_f32x4 (local.get $x)))
      (local.set $high
        (f64x2.promote_low_f32x4
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $x) (local.get $x))))
      (local.set $sum2 (f64x2.add (local.get $sum2) (f64x2.mul (local.get $low) (local.get $low))))
      (local.set $sum2 (f64x2.add (local.get $sum2) (f64x2.mul (local.get $high) (local.get $high))))
      (local.set $x (v128.load offset=98304 (local.get $at)))
      (local.set $low (f64x2.promote_low_f32x4 (local.get $x)))
      (local.set $high
        (f64x2.promote_low_f32x4
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $x) (local.get $x))))
      (local.set $sum3 (f64x2.add (local.get $sum3) (f64x2.mul (local.get $low) (local.get $low))))
      (local.set $sum3 (f64x2.add (local.get $sum3) (f64x2.mul (local.get $high) (local.get $high))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (v128.store (i32.const 131072) (local.get $sum0))
    (v128.store (i32.const 131088) (local.get $sum1))
    (v128.store (i32.const 131104) (local.get $sum2))
    (v128.store (i32.const 131120) (local.get $sum3))))
