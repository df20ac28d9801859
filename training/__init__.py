"""The controlled backbone swap: everything held constant but the language model."""
