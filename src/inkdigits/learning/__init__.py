"""From MNIST to a model folder. The only place that imports Keras."""

import os

# TensorFlow's remarks on its own build say nothing to anyone who trains here. Set before Keras is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
