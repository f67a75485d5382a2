"""Results that pages show, a folder each with small tables and a manifest, and the script that makes them."""
