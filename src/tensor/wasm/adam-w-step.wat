;; One AdamW step over up to 8192 float32 elements, four at a time.
;; Memory holds four arrays of 8192 elements, one after the other:
;; parameters at byte 0, gradients at 32768, first moments at 65536, second moments at 98304.
(module
  (memory (export "memory") 2)
  (func (export "step")
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
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))))
