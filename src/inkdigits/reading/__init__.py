"""From a picture to a result, by an exported network. The only place that imports ONNX Runtime."""
