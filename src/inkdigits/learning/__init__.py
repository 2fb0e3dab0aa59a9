"""From MNIST to a model folder. The only place that imports Keras."""
