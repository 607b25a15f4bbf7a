"""The worker's figures, measured: ``python -m bench`` for all of them, ``python -m bench resume`` for one.

Ratios are taken within one run, from rounds that alternate, because machines are shared and noisy.
"""
