"""Who makes a picture: one module for each provider, all with the face of `studio.providers.base.Provider`."""
