"""The portal: endpoints, deliveries and the receiver's guide for people, rendered here, without a script."""
