"""What any program needs: locks, interrupts, progress, parallel maps, whole files, provenance."""
