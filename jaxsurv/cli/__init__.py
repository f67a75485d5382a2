"""Command lines: options, folders for results, hosts, progress. Options import no JAX: --help is instant."""
