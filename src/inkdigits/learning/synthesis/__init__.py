"""Pages and lines of handwritten numbers among much else, made from MNIST digits on the fly."""
