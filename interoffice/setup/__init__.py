"""From a bare Python to a prepared environment, and what this machine has and lacks."""
