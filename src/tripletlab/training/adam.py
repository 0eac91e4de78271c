"""Adam with fewer operations in the graph."""

from typing import Any

import keras
from keras import ops

from tripletlab.training.backend import apply_adam


class Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """Keras' Adam, whose step of a variable is one operation of TensorFlow's, not some twenty.

    A third of the time to trace a step goes into those, and every trial begins with it. The formula
    is the same; results differ by rounding. Other backends, and `amsgrad`, take Keras' own step.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move a variable of any shape along its gradient of the same shape."""
        if self.amsgrad or keras.backend.backend() != "tensorflow":
            super().update_step(gradient, variable, learning_rate)
            return
        place, kind = self._get_variable_index(variable), variable.dtype
        step = ops.cast(self.iterations + 1, kind)
        apply_adam(
            variable,
            self._momentums[place],
            self._velocities[place],
            beta1_power=ops.power(ops.cast(self.beta_1, kind), step),
            beta2_power=ops.power(ops.cast(self.beta_2, kind), step),
            lr=ops.cast(learning_rate, kind),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=ops.cast(gradient, kind),
        )
