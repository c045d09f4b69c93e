"""Measures the offline analyzer on chapters and stories whose answers are known."""
