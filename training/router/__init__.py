"""The router's task classifier: labelling rules, question grammars, and the fit."""
