"""The science of growth against simulated streams whose truth is known."""
