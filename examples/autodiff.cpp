// Autodiff in 15 lines: finds the line y = 2 x + 1 from four of its points, by gradient descent.
#include <cstdio>

#include "engine/ops.h"

using namespace afina;

int main() {
  Tensor x = Tensor::from(std::vector<float>{-1, 0, 1, 2}, {4, 1}), y = x * 2. + 1.;
  Tensor w = Tensor::zeros({1}, Dtype::f32), b = Tensor::zeros({1}, Dtype::f32);
  for (Tensor* leaf : {&w, &b}) leaf->track();  // the leaves whose gradients are wanted
  for (int step = 0; step <= 40; ++step) {
    Tape tape;  // records operations while it lives
    Tensor error = x * w + b - y, loss = sum(error * error) * 0.25;
    if (step % 10 == 0)
      std::printf("step %2d: loss %.6f, w %.4f, b %.4f\n", step, loss.item(), w.item(), b.item());
    tape.backward(loss);  // adds d loss / d leaf to each leaf's gradient
    for (Tensor* leaf : {&w, &b}) {
      leaf->copy_from(leaf->detached() - leaf->grad().value() * 0.1);
      leaf->grad().clear();
    }
  }
}
